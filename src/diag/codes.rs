//! The catalogue of stable codes: what each kind of error means, with a wrong and a right example.
//! `mlinfra explain E0001` prints an entry. A code is never given another meaning.

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// `E0001`.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// Markdown.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $code;)*
        /// Every code that is raised somewhere.
        #[cfg(test)]
        const RAISED: &[&str] = &[$($code),*];
    };
}

codes! {
    /// The text is not in the language.
    SYNTAX = "E0001";
    /// A block that does not exist here, or too many of it.
    UNSUPPORTED_BLOCK = "E0002";
    /// An argument that the block does not have.
    UNSUPPORTED_ARGUMENT = "E0003";
    /// An argument or block that must be there is not.
    MISSING_ARGUMENT = "E0004";
    /// A name that cannot be one.
    INVALID_NAME = "E0005";
    /// A block with too many or too few labels.
    BLOCK_LABELS = "E0006";
    /// A value for a variable that is not declared.
    UNDECLARED_VARIABLE = "E0007";
    /// The same thing is declared twice.
    DUPLICATE = "E0008";
    /// A value of another type or kind than is needed.
    UNSUITABLE_VALUE = "E0009";
    /// A `count` or `for_each` that cannot be one.
    INVALID_REPETITION = "E0010";
    /// No value for a variable that needs one.
    MISSING_VARIABLE = "E0011";
    /// A reference that leads nowhere.
    INVALID_REFERENCE = "E0012";
    /// Things that need one another.
    CYCLE = "E0013";
    /// A provider that is not there.
    PROVIDER_MISSING = "E0014";
    /// A type of resource that its provider does not have.
    UNKNOWN_TYPE = "E0015";
    /// A function that does not exist, or arguments that it cannot take.
    INVALID_CALL = "E0016";
    /// A module whose source cannot be found.
    MODULE_NOT_FOUND = "E0017";
    /// An operand that the operator cannot take.
    INVALID_OPERAND = "E0018";
    /// An index that the value does not have.
    INVALID_INDEX = "E0019";
    /// A kind that no vocabulary has, or a target that is not declared.
    UNKNOWN_TARGET = "E0020";
    /// A module without an output that its interface promises.
    MISSING_OUTPUT = "E0021";
    /// A provider could not do what it was asked.
    PROVIDER_FAILED = "E0022";
    /// A provider refuses a configuration.
    PROVIDER_REFUSED = "E0023";
    /// A file cannot be read or is not UTF-8.
    UNREADABLE_FILE = "E0024";
    /// A sensitive value where everyone could see it.
    SENSITIVE_EXPOSED = "E0025";
    /// A condition that does not hold.
    CONDITION_FAILED = "E0026";
    /// A column that the data does not have.
    COLUMN_MISSING = "E0027";
    /// A provider answered what it must not.
    PROVIDER_INCONSISTENT = "E0028";
    /// The state cannot be read.
    STATE_DAMAGED = "E0030";
    /// Someone else is writing the state.
    STATE_LOCKED = "E0031";
    /// The state was written by a newer version.
    STATE_TOO_NEW = "E0032";
    /// An object that must not be destroyed would be.
    PROTECTED = "E0040";
    /// The plan is not of this state or configuration.
    PLAN_STALE = "E0041";
    /// The address of nothing.
    UNKNOWN_ADDRESS = "E0042";
}

const CATALOGUE: &str = include_str!("codes.md");

/// Every entry, in order.
pub fn all() -> impl Iterator<Item = Code> {
    // What stands before the first heading is about the catalogue as a whole.
    CATALOGUE.split("\n## ").skip(1).filter_map(|section| {
        let (head, explanation) = section.split_once('\n')?;
        let (code, title) = head.split_once(' ')?;
        Some(Code {
            code,
            title: title.trim(),
            explanation: explanation.trim(),
        })
    })
}

/// The entry of a code, in either case: `E0013` or `e0013`.
pub fn find(code: &str) -> Option<Code> {
    all().find(|entry| entry.code.eq_ignore_ascii_case(code.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_once_and_in_order() {
        let explained: Vec<&str> = all().map(|entry| entry.code).collect();
        assert_eq!(explained, RAISED);
        assert!(explained.is_sorted());
    }

    /// Codes are written out where they are raised; each must be one of these.
    #[test]
    fn every_code_that_is_raised_is_in_the_catalogue() {
        fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files(&path, found);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        files(&source, &mut found);
        assert!(found.len() > 20);
        for path in found.iter().filter(|path| !path.ends_with("diag/codes.rs")) {
            let text = std::fs::read_to_string(path).unwrap();
            for raised in text.split(".code(\"").skip(1) {
                let code = raised.split('"').next().unwrap();
                assert!(find(code).is_some(), "{code} in {}", path.display());
            }
        }
    }

    #[test]
    fn every_explanation_shows_what_is_wrong_and_what_is_right() {
        for entry in all() {
            let text = entry.explanation;
            assert!(text.contains("Wrong:\n\n```"), "{}", entry.code);
            assert!(text.contains("Right:\n\n```"), "{}", entry.code);
            assert_eq!(text.matches("```").count() % 2, 0, "{}", entry.code);
        }
    }

    #[test]
    fn a_code_is_found_in_either_case() {
        assert_eq!(find("e0013").map(|c| c.code), Some(CYCLE));
        assert_eq!(find("E9999"), None);
    }
}
