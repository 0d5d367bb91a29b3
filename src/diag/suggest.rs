//! "Did you mean …?": the known name nearest to a mistyped one.

/// The candidate that is nearest to `word`, if one is near enough to have been meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            // A name of which every letter differs was not meant, however short it is.
            *distance <= allowed && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint that offers [`nearest`]: `Did you mean "classifier"?`
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|name| format!("Did you mean \"{name}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_if_it_is_near() {
        let names = ["classifier", "classes", "id"];
        assert_eq!(nearest("classifer", names), Some("classifier"));
        assert_eq!(nearest("calssifier", names), Some("classifier"));
        assert_eq!(nearest("regressor", names), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("ib", names), Some("id"));
        assert_eq!(
            did_you_mean("clases", names).as_deref(),
            Some("Did you mean \"classes\"?")
        );
    }
}
