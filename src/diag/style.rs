//! How text for people is dressed: colours or none, and the width it is wrapped at. Whoever owns
//! the terminal decides and passes it in; nothing here looks at the environment.

use anstyle::{AnsiColor, Effects};
use unicode_width::UnicodeWidthStr;

/// How text for people is dressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// The terminal's width in columns; `None` when it is not a terminal.
    pub width: Option<usize>,
}

/// What a piece of text looks like where there is colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// Heavier.
    Bold,
    /// Underlined.
    Underline,
    /// An error, a removal.
    Red,
    /// An error's headline.
    BoldRed,
    /// A creation, a success.
    Green,
    /// A success's headline.
    BoldGreen,
    /// A warning, a change.
    Yellow,
    /// A warning's headline.
    BoldYellow,
    /// A read, a note.
    Cyan,
    /// A note's headline.
    BoldCyan,
    /// Of less weight.
    Gray,
}

impl Ink {
    fn dress(self) -> anstyle::Style {
        let (colour, effects) = match self {
            Ink::Bold => (None, Effects::BOLD),
            Ink::Underline => (None, Effects::UNDERLINE),
            Ink::Red => (Some(AnsiColor::Red), Effects::new()),
            Ink::BoldRed => (Some(AnsiColor::Red), Effects::BOLD),
            Ink::Green => (Some(AnsiColor::Green), Effects::new()),
            Ink::BoldGreen => (Some(AnsiColor::Green), Effects::BOLD),
            Ink::Yellow => (Some(AnsiColor::Yellow), Effects::new()),
            Ink::BoldYellow => (Some(AnsiColor::Yellow), Effects::BOLD),
            Ink::Cyan => (Some(AnsiColor::Cyan), Effects::new()),
            Ink::BoldCyan => (Some(AnsiColor::Cyan), Effects::BOLD),
            Ink::Gray => (Some(AnsiColor::BrightBlack), Effects::new()),
        };
        anstyle::Style::new()
            .fg_color(colour.map(Into::into))
            .effects(effects)
    }
}

impl Style {
    /// Neither colour nor wrapping: a file, a pipe.
    pub const PLAIN: Style = Style {
        color: false,
        width: None,
    };

    /// The text in that ink, where there is colour.
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let dress = ink.dress();
        format!("{dress}{text}{dress:#}")
    }
}

/// Wraps text at `width` columns between words; lines that begin with a blank, such as code, are
/// left as they are, and so is a word longer than a line.
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 64);
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if line.starts_with([' ', '\t']) {
            out.push_str(line);
        } else {
            wrap_line(&mut out, line, width);
        }
    }
    out
}

fn wrap_line(out: &mut String, line: &str, width: usize) {
    let mut column = 0;
    for word in line.split(' ') {
        let length = word.width();
        if column > 0 {
            if column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words_and_code_is_not() {
        assert_eq!(
            wrap("one two three\n  a b c d e f g\nabcdefghij k", 8),
            "one two\nthree\n  a b c d e f g\nabcdefghij\nk"
        );
    }

    #[test]
    fn colour_is_only_where_it_is_wanted() {
        assert_eq!(Style::PLAIN.paint(Ink::BoldRed, "x"), "x");
        let coloured = Style {
            color: true,
            width: None,
        };
        assert_eq!(coloured.paint(Ink::Green, "+"), "\u{1b}[32m+\u{1b}[0m");
    }
}
