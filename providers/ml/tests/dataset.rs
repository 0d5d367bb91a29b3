//! data `ml_dataset`.

use mlinfra_sdk::{Failure, Value};

use crate::harness::{World, number, text, texts};

async fn of(arguments: &[(&str, Value)]) -> Result<Value, Failure> {
    let world = World::new().await;
    world.write("data/digits.csv", "pixel_0,pixel_1,label\n0,1,7\n2,3,9\n");
    world.read_data("ml_dataset", arguments).await
}

#[tokio::test]
async fn a_data_set_is_checked_and_digested() {
    let arguments = [
        ("csv", "./data/digits.csv".into()),
        ("columns", texts(&["label", "pixel_0"])),
        ("label", "label".into()),
    ];
    let read = of(&arguments).await.unwrap();
    assert_eq!(number(&read, "rows"), 2.0);
    assert_eq!(
        read.get("header"),
        Some(&texts(&["pixel_0", "pixel_1", "label"]))
    );
    assert!(text(&read, "digest").starts_with("sha256:"));
    assert!(text(&read, "uri").starts_with("file:///"));
    assert!(text(&read, "uri").ends_with("/data/digits.csv"));
}

#[tokio::test]
async fn a_missing_column_names_what_is_there_and_what_was_meant() {
    let failure = of(&[("csv", "data/digits.csv".into()), ("label", "lable".into())])
        .await
        .unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "label");
    let end = "has no column \"lable\"; it has: pixel_0, pixel_1, label. Did you mean \"label\"?";
    assert!(failure.detail.ends_with(end), "{}", failure.detail);
    let columns = texts(&["label", "pixel_9", "weight"]);
    let failure = of(&[("csv", "data/digits.csv".into()), ("columns", columns)])
        .await
        .unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "columns[1]");
    assert!(
        failure.detail.contains("\"pixel_9\", \"weight\""),
        "{}",
        failure.detail
    );
}

#[tokio::test]
async fn a_missing_file_names_the_one_that_was_meant() {
    let failure = of(&[("csv", "data/digit.csv".into())]).await.unwrap_err();
    assert_eq!(failure.path.unwrap().to_string(), "csv");
    assert!(
        failure.detail.ends_with("Did you mean \"digits.csv\"?"),
        "{}",
        failure.detail
    );
    let failure = of(&[("csv", "data".into())]).await.unwrap_err();
    assert_eq!(failure.summary, "Not a file");
}
