//! The data source of the machine.

use mlinfra_sdk::{ReadData, Value};

use super::world::World;

#[tokio::test]
async fn the_machine_is_told() {
    let world = World::with_runtime("/nowhere/mlinfra-runtime".into()).await;
    let config = &Value::NULL;
    let read = world
        .session
        .read_data("local_platform", &world.context, ReadData { config })
        .await
        .unwrap();
    let schema = &world.provider.schema().data_sources["local_platform"];
    assert_eq!(read.ty(), schema.ty());
    assert_eq!(read.get_str("runtime"), Some("/nowhere/mlinfra-runtime"));
    assert_eq!(read.get_str("root_dir"), world.path().to_str());
    assert_eq!(read.get_str("os"), Some(std::env::consts::OS));
    assert!(read.get("cores").unwrap().as_number().unwrap().as_i64() >= Some(1));
    assert!(!world.path().join(".mlinfra").exists());
}

#[tokio::test]
async fn everything_is_described() {
    let world = World::with_runtime("/nowhere/mlinfra-runtime".into()).await;
    let schema = world.provider.schema();
    for (name, schema) in schema.resources.iter().chain(&schema.data_sources) {
        assert!(!schema.description.is_empty(), "{name}");
        for (attribute, is) in &schema.attributes {
            assert!(!is.description.is_empty(), "{name}.{attribute}");
        }
    }
}
