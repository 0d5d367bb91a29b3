//! The catalogue of stable codes: what each kind of error means, with a wrong and a right example.
//! `mlinfra explain E0101` prints an entry. A code is never given another meaning.

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// `E0101`.
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
    /// A file cannot be read or is not UTF-8.
    UNREADABLE_FILE = "E0002";
    /// A block of a type that does not exist here.
    UNKNOWN_BLOCK = "E0101";
    /// An argument that the block does not have.
    UNSUPPORTED_ARGUMENT = "E0102";
    /// An argument that the block must have is not there.
    MISSING_ARGUMENT = "E0103";
    /// A block with too many or too few labels, or a label that is no name.
    BLOCK_LABELS = "E0104";
    /// The same thing is declared twice.
    DUPLICATE = "E0105";
    /// A reference that cannot be one.
    INVALID_REFERENCE = "E0106";
    /// A variable that is not declared.
    UNDECLARED_VARIABLE = "E0107";
    /// A local value that is not declared.
    UNDECLARED_LOCAL = "E0108";
    /// A resource or data source that is not declared.
    UNDECLARED_RESOURCE = "E0109";
    /// A module call or block of the vocabulary that is not declared.
    UNDECLARED_MODULE = "E0110";
    /// An output that the module does not have.
    UNDECLARED_OUTPUT = "E0111";
    /// An attribute that the value does not have.
    UNSUPPORTED_ATTRIBUTE = "E0112";
    /// An index that the value does not have.
    INVALID_INDEX = "E0113";
    /// A value of another type than is needed.
    TYPE_MISMATCH = "E0114";
    /// An operand that the operator cannot take.
    INVALID_OPERAND = "E0115";
    /// A function that does not exist.
    UNKNOWN_FUNCTION = "E0116";
    /// An argument that the function cannot take.
    FUNCTION_ARGUMENT = "E0117";
    /// A `count` that cannot be one.
    INVALID_COUNT = "E0118";
    /// A `for_each` that cannot be one.
    INVALID_FOR_EACH = "E0119";
    /// Things that need one another.
    CYCLE = "E0120";
    /// A sensitive value where everyone could see it.
    SENSITIVE_EXPOSED = "E0121";
    /// A value for a variable that is not declared, or none for one that needs it.
    VARIABLE_VALUE = "E0122";
    /// A condition that does not hold.
    CONDITION_FAILED = "E0123";
    /// A module whose source cannot be found.
    MODULE_NOT_FOUND = "E0201";
    /// A kind that no vocabulary has.
    UNKNOWN_KIND = "E0202";
    /// A target that is not declared.
    UNKNOWN_TARGET = "E0203";
    /// A column that the data does not have.
    COLUMN_MISSING = "E0204";
    /// A provider that is not there.
    PROVIDER_MISSING = "E0301";
    /// A provider refused or failed.
    PROVIDER_FAILED = "E0302";
    /// A provider answered what it must not.
    PROVIDER_INCONSISTENT = "E0303";
    /// The state cannot be read.
    STATE_DAMAGED = "E0401";
    /// Someone else is writing the state.
    STATE_LOCKED = "E0402";
    /// The state was written by a newer version.
    STATE_TOO_NEW = "E0403";
    /// An object that must not be destroyed would be.
    PROTECTED = "E0501";
    /// The plan is not of this state or configuration.
    PLAN_STALE = "E0502";
    /// The address of nothing.
    UNKNOWN_ADDRESS = "E0503";
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

/// The entry of a code, in either case: `E0101` or `e0101`.
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
        assert_eq!(find("e0120").map(|c| c.code), Some(CYCLE));
        assert_eq!(find("E9999"), None);
    }
}
