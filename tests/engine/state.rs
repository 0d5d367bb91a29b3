//! A state that is damaged, locked or interrupted.

use std::os::fd::AsFd as _;

use rustix::fs::{FlockOperation, flock};

use crate::support::Directory;

const ONE: &str = "resource \"terraform_data\" \"one\" {\n  input = 1\n}\n";

#[test]
fn a_damaged_state_is_an_error_and_never_an_empty_state() {
    let directory = Directory::with(ONE);
    directory.apply();
    let whole = directory.read("mlinfra.state.json");
    for damaged in [
        String::new(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("terraform_data", "terraform_dato"),
    ] {
        directory.write("mlinfra.state.json", &damaged);
        for command in [
            &["plan"][..],
            &["apply", "-auto-approve"],
            &["destroy", "-auto-approve"],
        ] {
            let run = directory.run(command).fails_with(&["mlinfra.state.json"]);
            assert!(!run.stdout.contains("to add"), "{}", run.stdout);
        }
        assert_eq!(
            directory.read("mlinfra.state.json"),
            damaged,
            "nothing was changed"
        );
    }
    directory.write("mlinfra.state.json", &whole);
    directory.run(&["plan", "-detailed-exitcode"]).ok();
}

#[test]
fn a_locked_state_is_not_touched() {
    let directory = Directory::with(ONE);
    directory.apply();
    let lock = std::fs::File::options()
        .write(true)
        .open(directory.file("mlinfra.state.lock"))
        .unwrap();
    flock(lock.as_fd(), FlockOperation::LockExclusive).unwrap();
    directory
        .run(&["apply", "-auto-approve"])
        .fails_with(&["Error acquiring the state lock"]);
    drop(lock);
    directory.run(&["plan", "-detailed-exitcode"]).ok();
}

#[test]
fn the_state_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::with(ONE);
    directory.apply();
    let mode = std::fs::metadata(directory.file("mlinfra.state.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn sensitive_values_are_not_shown() {
    let directory = Directory::with(
        r#"
        variable "secret" {
          type      = string
          default   = "canary-7d1f"
          sensitive = true
        }
        resource "terraform_data" "holder" {
          triggers_replace = { user = "me", password = var.secret }
        }
        output "password" {
          value     = terraform_data.holder.triggers_replace.password
          sensitive = true
        }
        "#,
    );
    let run = directory.apply();
    let shown = directory
        .run(&["state", "show", "terraform_data.holder"])
        .ok();
    let outputs = directory.run(&["output"]).ok();
    for text in [run.stdout, run.stderr, shown.stdout, outputs.stdout] {
        assert!(!text.contains("canary"), "{text}");
    }
    directory
        .run(&["output", "-raw", "password"])
        .ok()
        .says(&["canary-7d1f"]);
}
