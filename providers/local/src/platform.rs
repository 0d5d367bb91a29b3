//! The data source `local_platform`: what this machine is.

use std::path::Path;

use mlinfra_sdk::{
    Attribute, Context, DataSource, Failure, ReadData, Schema, Type, Value, async_trait,
};

use crate::machine::Machine;

/// The data source `local_platform`.
pub struct Platform;

#[async_trait]
impl DataSource<Machine> for Platform {
    fn type_name(&self) -> &'static str {
        "local_platform"
    }

    fn schema(&self) -> Schema {
        let text = |description| Attribute::computed(Type::String).describe(description);
        Schema::new("This machine and where the configuration lies on it.")
            .attribute(
                "runtime",
                text("The path of the program `mlinfra-runtime`: inference, index, runner, agent."),
            )
            .attribute("root_dir", text("The configuration's directory."))
            .attribute(
                "data_dir",
                text("The directory for what is kept beside the configuration."),
            )
            .attribute(
                "cores",
                Attribute::computed(Type::Number).describe("How many processor cores may be used."),
            )
            .attribute("os", text("The operating system, such as `linux`."))
            .attribute(
                "arch",
                text("The processor architecture, such as `x86_64`."),
            )
    }

    async fn read(
        &self,
        machine: &Machine,
        _cx: &Context,
        _request: ReadData<'_>,
    ) -> Result<Value, Failure> {
        let path = |path: &Path| Value::from(path.to_string_lossy().as_ref());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Value::object([
            ("runtime", path(&machine.runtime())),
            ("root_dir", path(machine.root())),
            ("data_dir", path(machine.data())),
            ("cores", cores.into()),
            ("os", std::env::consts::OS.into()),
            ("arch", std::env::consts::ARCH.into()),
        ]))
    }
}
