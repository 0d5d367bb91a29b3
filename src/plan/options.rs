//! What a plan is asked for.

use super::Mode;
use crate::addr::{ResourceInstance, Target};

/// What a plan is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bring the world to the configuration, remove everything, or only take note.
    pub mode: Mode,
    /// Whether objects are read from the world first.
    pub refresh: bool,
    /// Objects to replace whatever else.
    pub replace: Vec<ResourceInstance>,
    /// Only these and what they need; everything when empty.
    pub targets: Vec<Target>,
    /// How many operations of providers may run at once.
    pub parallelism: usize,
    /// Objects that hold data may be destroyed.
    pub destroy_data: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            mode: Mode::Normal,
            refresh: true,
            replace: Vec::new(),
            targets: Vec::new(),
            parallelism: 10,
            destroy_data: false,
        }
    }
}
