//! What goes wrong on this machine: every fault named with its place, and nothing half-done.

use std::net::TcpListener;

use crate::support::Directory;

/// A job whose program needs nothing but Python.
fn job(train: &str) -> Directory {
    let directory = Directory::with(
        r#"
target "local" {}

data_source "rows" {
  csv     = "rows.csv"
  columns = ["x", "label"]
}

registry "models" {}

training_job "tiny" {
  source   = "./train"
  command  = ["python3", "train.py"]
  inputs   = { rows = data_source.rows }
  registry = registry.models
}
"#,
    );
    directory.write("rows.csv", "x,label\n1,2\n");
    directory.write("train/train.py", train);
    directory
}

const UNUSED: &str = "raise SystemExit('this must not run')\n";

#[test]
fn missing_data_is_told_at_the_users_line() {
    let directory = job(UNUSED);
    std::fs::remove_file(directory.file("rows.csv")).unwrap();
    let run = directory.run(&["apply", "-auto-approve"]);
    run.fails_with(&["rows.csv", "data_source.rows", "on main.hcl line 5"]);
    assert_eq!(directory.run(&["state", "list"]).ok().stdout, "");
    assert!(!directory.file("registry").exists());
}

#[test]
fn a_missing_column_is_told_with_those_there_are() {
    let directory = job(UNUSED);
    directory.write("rows.csv", "x,lable\n1,2\n");
    let run = directory.run(&["apply", "-auto-approve"]);
    run.fails_with(&[
        "\"label\"",
        "lable",
        "data_source.rows",
        "on main.hcl line 6",
    ]);
    assert!(!directory.file("registry").exists());
}

#[test]
fn a_failing_program_is_shown_with_its_last_lines() {
    let directory =
        job("import sys\nprint('about to fail')\nsys.exit('the loss is not a number')\n");
    directory.run(&["apply", "-auto-approve"]).fails_with(&[
        "training_job.tiny.ml_run.run",
        "on main.hcl line 11",
        "the loss is not a number",
    ]);
    directory.write(
        "train/train.py",
        "import os, pathlib\npathlib.Path(os.environ['MLINFRA_OUTPUT'], 'notes.txt').write_text('no model')\n",
    );
    directory
        .run(&["apply", "-auto-approve"])
        .fails_with(&["wrote no model", "MLINFRA_OUTPUT"]);
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(list, "registry.models.ml_registry.registry\n");
}

#[test]
fn a_missing_source_folder_is_told_before_anything_is_done() {
    let directory = job(UNUSED);
    std::fs::remove_dir_all(directory.file("train")).unwrap();
    directory.run(&["apply", "-auto-approve"]).fails_with(&[
        "train",
        "training_job.tiny",
        "on main.hcl line 12",
    ]);
    assert!(!directory.file("registry").exists());
}

#[test]
fn a_taken_port_is_told_before_anything_is_done() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let directory = Directory::with(&format!(
        r#"
resource "local_service" "web" {{
  name    = "web"
  command = ["sleep", "1000"]
  port    = {port}
}}
"#
    ));
    directory
        .run(&["apply", "-auto-approve"])
        .fails_with(&[&port.to_string(), "on main.hcl line 5"]);
    assert_eq!(directory.run(&["state", "list"]).ok().stdout, "");
    assert_eq!(directory.processes(), []);
}
