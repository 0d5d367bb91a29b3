//! The state as the views show it: objects decoded under their schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::view::state::{ObjectView, OutputView, StateView};
use crate::diag::Diagnostic;
use crate::provider::Host;
use crate::state::{OutputValue, Snapshot};

/// Decodes every object of a state.
///
/// # Errors
/// When a provider or type is not there any more, or an object does not fit its schema.
pub fn view(snapshot: &Snapshot, host: &Host) -> Result<StateView, Diagnostic> {
    let mut objects = Vec::new();
    for (address, instance) in &snapshot.resources {
        let schema = host.schema(&instance.provider.name, &address.resource)?;
        let deposed = instance
            .deposed
            .iter()
            .map(|(key, o)| (Some(key.clone()), o));
        let current = instance.current.iter().map(|o| (None, o));
        for (deposed, object) in current.chain(deposed) {
            let value = object.decode(&schema).map_err(|e| {
                Diagnostic::error(
                    "Stored object cannot be read",
                    format!("The state of {address} does not fit what its provider expects: {e}."),
                )
                .about(address)
            })?;
            objects.push(ObjectView {
                address: address.clone(),
                provider: instance.provider.name.clone(),
                schema: schema.clone(),
                schema_version: object.schema_version,
                value,
                tainted: object.is_tainted(),
                deposed,
                depends_on: object
                    .dependencies
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            });
        }
    }
    Ok(StateView {
        objects,
        outputs: outputs(snapshot),
        checks: Vec::new(),
    })
}

/// All outputs of a state.
pub fn outputs(snapshot: &Snapshot) -> BTreeMap<Arc<str>, OutputView> {
    let outputs = snapshot.outputs.iter();
    outputs
        .map(|(name, o)| (Arc::clone(name), output(o)))
        .collect()
}

/// One output of a state.
pub fn output(output: &OutputValue) -> OutputView {
    OutputView {
        value: output.value.clone(),
        sensitive: output.sensitive,
    }
}
