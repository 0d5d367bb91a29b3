//! The indentation of heredocs and the blanks beside strip markers.

use unicode_segmentation::UnicodeSegmentation;

use super::template::Part;

/// Takes the blanks beside a strip marker away: of the piece of text next to it, no further.
pub(super) fn strip(parts: &mut [Part]) {
    for i in 0..parts.len() {
        let Some((before, after)) = parts.get(i).map(Part::strips) else {
            return;
        };
        if before
            && i > 0
            && let Some(Part::Text(text, _)) = parts.get_mut(i - 1)
        {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(Part::Text(text, _)) = parts.get_mut(i + 1) {
            *text = text.trim_start().to_owned();
        }
    }
}

/// Takes away the indentation that all lines of a `<<-` heredoc share.
pub(super) fn dedent(parts: &mut [Part]) {
    let mut least = usize::MAX;
    let mut starts = Vec::new();
    let mut line_start = true;
    for (i, part) in parts.iter().enumerate() {
        let text = match part {
            Part::Text(text, _) => Some(text.as_str()),
            _ => None,
        };
        if std::mem::take(&mut line_start) {
            let indent = match text {
                // A blank line has no indentation of its own.
                Some(text) if text.trim_start().is_empty() && text.ends_with('\n') => usize::MAX,
                Some(text) => {
                    starts.push(i);
                    let blanks = &text[..text.len() - text.trim_start().len()];
                    blanks.graphemes(true).count()
                }
                None => 0,
            };
            least = least.min(indent);
        }
        line_start = text.is_some_and(|text| text.ends_with('\n'));
    }
    for i in starts {
        if let Some(Part::Text(text, _)) = parts.get_mut(i) {
            *text = text.graphemes(true).skip(least).collect();
        }
    }
}
