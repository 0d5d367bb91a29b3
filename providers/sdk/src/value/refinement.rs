//! What is known of an unknown value before it is known.

use std::sync::Arc;

use super::Number;

/// Facts about an unknown value. Each holds whatever the value turns out to be.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Refinement {
    /// The value will not be null.
    pub not_null: bool,
    /// Text: it will start with this.
    pub prefix: Option<Arc<str>>,
    /// Number: the lower bound, and whether the bound itself is possible.
    pub lower: Option<(Number, bool)>,
    /// Number: the upper bound, and whether the bound itself is possible.
    pub upper: Option<(Number, bool)>,
    /// Collection: the least number of elements.
    pub least_length: Option<usize>,
    /// Collection: the greatest number of elements.
    pub greatest_length: Option<usize>,
}
