//! What was probably meant by a name that does not exist.

/// The candidate nearest to a name, when one is near enough to have been meant.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let far = (name.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance < far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ` Did you mean "label"?`, or nothing.
pub(crate) fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> String {
    nearest(name, candidates)
        .map(|near| format!(" Did you mean {near:?}?"))
        .unwrap_or_default()
}

/// The first names of many, for a sentence.
pub(crate) fn some_of<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    const MOST: usize = 20;
    let more = names.len().saturating_sub(MOST);
    let mut text = names.take(MOST).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(nearest("lable", ["pixel_0", "label"]), Some("label"));
        assert_eq!(nearest("lable", ["pixel_0", "id"]), None);
        assert_eq!(nearest("x", ["y"]), Some("y"));
        assert_eq!(
            did_you_mean("trian.py", ["train.py"]),
            " Did you mean \"train.py\"?"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..25).map(|n| n.to_string()).collect();
        let text = some_of(names.iter().map(String::as_str));
        assert!(text.ends_with("18, 19 and 5 more"), "{text}");
    }
}
