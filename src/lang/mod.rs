//! Expressions over values: pure, knows no state.
