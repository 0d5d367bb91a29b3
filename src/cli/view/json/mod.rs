//! Plans, states and outputs as JSON, in Terraform's shapes, so that what reads those reads these.

mod checks;
mod flags;
pub mod plan;
pub mod values;

use serde::Serialize;

use crate::addr::{InstanceKey, Mode};

/// The release of Terraform whose formats these are.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// An instance key as JSON: a number or a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct KeyJson<'k>(&'k InstanceKey);

impl KeyJson<'_> {
    fn is_none(&self) -> bool {
        *self.0 == InstanceKey::None
    }
}

impl Serialize for KeyJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            InstanceKey::None => serializer.serialize_unit(),
            InstanceKey::Index(n) => serializer.serialize_u64(*n as u64),
            InstanceKey::Key(key) => serializer.serialize_str(key),
        }
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    }
}
