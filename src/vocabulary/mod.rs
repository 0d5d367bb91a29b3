//! The ML vocabulary: kinds such as `serving`, each a module a target behind one interface.
//!
//! A kind is HCL in `modules/<kind>/`: `interface.hcl` declares arguments and outputs, the same on
//! every target; `modules/<kind>/<target>/` says what that is made of. Here blocks of a kind become
//! calls of those modules. No kind is known by name but `target`, which chooses the modules.

mod library;
mod lower;

pub use library::Library;
