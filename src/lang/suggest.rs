//! "Did you mean …?"

use std::fmt::Display;

use crate::diag::Diagnostic;

/// A name that may have been meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion(pub Option<String>);

/// The candidate nearest to a name, if one is near enough to be a slip.
pub fn suggestion<C: AsRef<str>>(
    name: &str,
    candidates: impl IntoIterator<Item = C>,
) -> Suggestion {
    let nearest = candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(name, c.as_ref()), c))
        .min_by_key(|(distance, _)| *distance);
    let allowed = 1 + name.chars().count() / 4;
    Suggestion(match nearest {
        Some((distance, c)) if distance > 0 && distance <= allowed => Some(c.as_ref().to_owned()),
        _ => None,
    })
}

/// The candidate that differs from a name in at most two letters, the nearest first.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|c| (strsim::levenshtein(name, c), c))
        .filter(|(distance, _)| *distance < 3)
        .min()
        .map(|(_, c)| c)
}

impl Suggestion {
    /// The diagnostic with the suggestion as its hint, where there is one.
    #[must_use]
    pub fn onto(self, diagnostic: Diagnostic) -> Diagnostic {
        match self.0 {
            Some(name) => diagnostic.hint(format!("Did you mean {}?", quoted(&name))),
            None => diagnostic,
        }
    }
}

fn quoted(name: impl Display) -> String {
    format!("\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = ["classifier", "ranker"];
        assert_eq!(
            suggestion("classifer", names).0.as_deref(),
            Some("classifier")
        );
        assert_eq!(suggestion("index", names).0, None);
        assert_eq!(suggestion("ranker", names).0, None);
    }
}
