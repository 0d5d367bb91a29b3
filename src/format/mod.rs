//! The canonical layout of configuration files: what `fmt` does.
//!
//! It works on tokens, so that nothing is lost: only blanks change, labels get their quotes, a
//! lone `"${x}"` becomes `x`, and the type constraints of old become those of today. The result is
//! what Terraform's `fmt` writes.
//!
//! | module | what it does |
//! |---|---|
//! | `token` | what a token is |
//! | `lexer` | text into tokens |
//! | `idiom` | labels, lone interpolations, old type constraints |
//! | `layout` | indentation, blanks between tokens, columns |

mod idiom;
mod layout;
mod lexer;
mod token;

use std::str::FromStr;

use hcl_edit::structure::Body;
use similar::TextDiff;

/// Why a text cannot be formatted. It is left as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// It is not in the language.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// The byte it is wrong at.
        offset: usize,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The result would not hold the same tokens as the text, which is a fault of ours.
    #[error("formatting would have changed more than blanks; this is a bug in mlinfra")]
    Lossy,
}

/// The text in its canonical layout.
///
/// # Errors
/// When the text has a syntax error.
pub fn format(text: &str) -> Result<String, FormatError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The parser knows the grammar; the tokens below only need to be those of a sound text.
    Body::from_str(text).map_err(|error| {
        let place = error.location();
        FormatError::Syntax {
            message: error.message().to_owned(),
            offset: place.offset(),
            line: place.line(),
            column: place.column(),
        }
    })?;
    let tokens = lexer::tokens(text).map_err(|error| at(text, &error))?;
    let tokens = idiom::rewrite(tokens);
    let wanted: Vec<String> = tokens.iter().map(|t| t.text.to_string()).collect();
    let out = layout::write(tokens);
    let same = lexer::tokens(&out)
        .is_ok_and(|written| written.iter().map(|t| t.text.as_ref()).eq(wanted.iter()));
    if same {
        Ok(out)
    } else {
        Err(FormatError::Lossy)
    }
}

fn at(text: &str, error: &lexer::LexError) -> FormatError {
    let before = text.get(..error.offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    FormatError::Syntax {
        message: error.message.to_owned(),
        offset: error.offset,
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

/// What formatting changes, as a unified diff; empty where nothing does.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("old/{name}"), &format!("new/{name}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const UGLY: &str = include_str!("samples/ugly.hcl");
    const CANONICAL: &str = include_str!("samples/canonical.hcl");

    /// What Terraform 1.11.4's `fmt` makes of the sample, but for the comment between labels,
    /// which it drops and we keep.
    #[test]
    fn the_sample_comes_out_as_terraforms() {
        let formatted = format(UGLY).unwrap();
        assert_eq!(formatted, CANONICAL, "{}", diff("x", CANONICAL, &formatted));
    }

    #[test]
    fn what_is_canonical_stays() {
        assert_eq!(format(CANONICAL).unwrap(), CANONICAL);
    }

    #[test]
    fn ends_of_lines_and_files_are_kept_in_order() {
        for (text, wanted) in [
            ("", ""),
            ("\n\n", "\n\n"),
            ("a=1", "a = 1\n"),
            ("# c", "# c\n"),
            (
                "a=1\r\n  # c\r\nb {\r\nc=1\r\n}\r\n",
                "a = 1\r\n# c\r\nb {\r\n  c = 1\r\n}\r\n",
            ),
            ("\u{feff}a=1\n", "a = 1\n"),
            (
                "  a=1\n   /* x\n y */ b=2\n",
                "a            = 1\n/* x\n y */ b = 2\n",
            ),
        ] {
            assert_eq!(format(text).unwrap(), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_heredoc_stays_as_it_is() {
        let text = "a = {\n  b = <<X\n   ${\n f(1,2)\n  }\n  x\nX\n  ccc = 1\n}\n";
        assert_eq!(format(text).unwrap(), text.replace("b =", "b   ="));
        let text = "a {\n b = f(<<X\n y\nX\n , 2)\n}\n";
        assert_eq!(
            format(text).unwrap(),
            "a {\n  b = f(<<X\n y\nX\n  , 2)\n}\n"
        );
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        let error = format("a = 1\nb = [\n").unwrap_err();
        assert!(
            matches!(error, FormatError::Syntax { line, .. } if line >= 2),
            "{error:?}"
        );
        assert!(format("a = \"x").is_err());
        assert!(format("a = 1;\n").is_err());
    }

    fn blank() -> impl Strategy<Value = &'static str> + Clone {
        select(vec![" ", "  ", "\t", "     "])
    }

    fn gap() -> impl Strategy<Value = &'static str> + Clone {
        prop_oneof![4 => blank(), 1 => Just(" /* c */ ")]
    }

    fn expression() -> impl Strategy<Value = String> + Clone {
        let leaf = select(vec![
            "1",
            "-2.5e3",
            "a",
            "a.b[0].c",
            "\"x ${ y } z\"",
            "\"${y}\"",
            "null",
            "!a",
            "f( )",
            "\"\"",
        ]);
        leaf.prop_map(str::to_owned)
            .prop_recursive(3, 24, 4, |inner| {
                let many = proptest::collection::vec(inner.clone(), 0..4);
                let operator = select(vec!["+", "-", "==", "&&", "? b :", "*"]);
                prop_oneof![
                    (many.clone(), gap())
                        .prop_map(|(v, gap)| format!("[{}]", v.join(&format!(",{gap}")))),
                    (many.clone(), gap())
                        .prop_map(|(v, gap)| format!("f({})", v.join(&format!("{gap},")))),
                    (many, gap()).prop_map(|(v, gap)| {
                        let items: Vec<String> = v
                            .iter()
                            .enumerate()
                            .map(|(i, v)| format!("k{i}{gap}={gap}{v}\n"))
                            .collect();
                        format!("{{\n{}}}", items.concat())
                    }),
                    (inner.clone(), operator, inner, gap())
                        .prop_map(|(a, op, b, gap)| format!("({gap}{a}{gap}{op}{gap}{b})")),
                ]
            })
    }

    /// A line of a body; `@` stands for a number of its own.
    fn line() -> impl Strategy<Value = String> + Clone {
        let comment = select(vec!["", "# c", "// c", "/* c */"]);
        let argument = (gap(), expression(), blank(), comment, 0..3usize).prop_map(
            |(gap, value, blank, comment, n)| {
                let (name, lines) = ("x".repeat(n), "\n".repeat(n / 2));
                format!("{blank}{name}_@{gap}={gap}{value}{blank}{comment}\n{lines}")
            },
        );
        let heredoc = gap().prop_map(|gap| format!("doc@{gap}= <<E\n  t ${{ a+b }}\n e x\n  E\n"));
        prop_oneof![6 => argument, 1 => heredoc]
    }

    fn body() -> impl Strategy<Value = String> {
        let lines = proptest::collection::vec(line(), 0..6);
        (lines.clone(), blank(), lines).prop_map(|(outer, blank, inner)| {
            let number = |lines: Vec<String>| {
                let numbered = lines.iter().enumerate();
                let lines = numbered.map(|(i, line)| line.replace('@', &i.to_string()));
                lines.collect::<String>()
            };
            let (outer, inner) = (number(outer), number(inner));
            format!("{outer}blk{blank}label{blank}\"l\"{blank}{{\n{inner}}}\n")
        })
    }

    proptest! {
        #[test]
        fn formatting_twice_is_formatting_once(text in body()) {
            let once = format(&text).unwrap();
            prop_assert_eq!(format(&once).unwrap(), once);
        }

        #[test]
        fn only_blanks_change(text in body()) {
            let formatted = format(&text).unwrap();
            // Quotes of labels come, those around a lone interpolation go.
            let bare = |text: &str| text.replace([' ', '\t', '"', '$', '{', '}', '(', ')'], "");
            let lines = |text: &str| bare(text).replace('\n', "");
            prop_assert_eq!(lines(&formatted), lines(&text));
        }
    }

    #[test]
    fn a_difference_is_unified() {
        assert_eq!(diff("x.hcl", "a = 1\n", "a = 1\n"), "");
        assert_eq!(
            diff("x.hcl", "a=1\n", "a = 1\n"),
            "--- old/x.hcl\n+++ new/x.hcl\n@@ -1 +1 @@\n-a=1\n+a = 1\n"
        );
    }
}
