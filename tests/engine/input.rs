//! Bad input: every error with its place and remedy, all of them at once, and nothing changed.

use crate::support::Directory;

#[track_caller]
fn refused(configuration: &str, words: &[&str]) {
    let directory = Directory::with(configuration);
    directory.run(&["apply", "-auto-approve"]).fails_with(words);
    let list = directory.run(&["state", "list"]).ok();
    assert_eq!(list.stdout, "");
}

#[test]
fn a_syntax_error_names_file_line_and_what_is_due() {
    refused(
        "resource \"terraform_data\" \"a\" {\n  input = [1 2]\n}\n",
        &[
            "Error: Missing item separator",
            "on main.hcl line 2",
            "input = [1 2]",
            "^",
        ],
    );
}

#[test]
fn errors_of_several_files_are_reported_together() {
    let directory = Directory::with("output \"a\" {\n  value = var.nowhere\n}\n");
    directory.write("b.hcl", "output \"b\" {\n  value = [1 2]\n}\n");
    directory.write("c.hcl", "resuorce \"terraform_data\" \"c\" {\n}\n");
    directory.run(&["validate"]).fails_with(&[
        "on b.hcl line 2",
        "on c.hcl line 1",
        "Did you mean \"resource\"?",
        "on main.hcl line 2",
        "Reference to undeclared input variable",
    ]);
}

#[test]
fn an_unknown_kind_is_told_with_the_nearest() {
    refused(
        "target \"local\" {}\nservng \"api\" {\n  model = 1\n}\n",
        &[
            "Error: Unsupported block type",
            "on main.hcl line 2",
            "Did you mean \"serving\"?",
        ],
    );
}

#[test]
fn an_unknown_argument_of_a_kind_is_told_at_the_users_line() {
    refused(
        "target \"local\" {}\nregistry \"models\" {\n  pth = \"x\"\n}\n",
        &["Error: Unsupported argument", "on main.hcl line 3", "pth"],
    );
}

#[test]
fn an_undeclared_reference_is_told_with_the_nearest() {
    refused(
        r#"
target "local" {}
registry "models" {}
output "url" {
  value = registry.modls.url
}
"#,
        &[
            "Error: Reference to undeclared registry",
            "on main.hcl line 5",
            "registry.models",
        ],
    );
}

#[test]
fn a_wrong_type_is_told_at_the_users_line() {
    refused(
        r#"
target "local" {}
retraining "weekly" {
  job      = "not a job"
  schedule = ["not", "a", "schedule"]
}
"#,
        &[
            "Error: Invalid value for input variable",
            "on main.hcl line 4",
            "on main.hcl line 5",
        ],
    );
}

#[test]
fn a_misspelt_attribute_of_an_object_is_not_dropped_in_silence() {
    refused(
        r#"
target "local" {}
registry "models" {}
training_job "t" {
  source    = "./train"
  registry  = registry.models
  objective = { metrik = "auc", metric = "auc", goal = "maximize" }
}
"#,
        &[
            "Error: Unsupported argument",
            "on main.hcl line 7",
            "metrik",
            "metric",
        ],
    );
}

#[test]
fn a_team_adds_kinds_of_its_own() {
    let directory = Directory::with(
        r#"
mlinfra {
  vocabulary = ["./kinds"]
}
target "local" {}
greeting "one" {
  for_each = { a = "hello", b = "bye" }
  words    = each.value
}
output "said" {
  value = { for key, greeting in greeting.one : key => greeting.said }
}
"#,
    );
    directory.write(
        "kinds/greeting/interface.hcl",
        "variable \"name\" {\n  type = string\n}\nvariable \"words\" {\n  type = string\n}\noutput \"said\" {}\n",
    );
    directory.write(
        "kinds/greeting/local/main.hcl",
        "resource \"terraform_data\" \"it\" {\n  input = \"${var.name}: ${var.words}\"\n}\noutput \"said\" {\n  value = terraform_data.it.output\n}\n",
    );
    directory.apply();
    directory
        .run(&["output", "-json", "said"])
        .ok()
        .says(&[r#"{"a":"one-a: hello","b":"one-b: bye"}"#]);
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(
        list,
        "greeting.one[\"a\"].terraform_data.it\ngreeting.one[\"b\"].terraform_data.it\n"
    );
}

#[test]
fn a_missing_argument_is_told_at_the_block() {
    refused(
        "target \"local\" {}\ntraining_job \"t\" {\n}\n",
        &[
            "Error: Missing required argument",
            "on main.hcl line 2",
            "source",
        ],
    );
}

#[test]
fn a_kind_without_a_target_says_how_to_add_one() {
    refused(
        "registry \"models\" {}\n",
        &[
            "Error: No target",
            "on main.hcl line 1",
            "target \"local\" {}",
        ],
    );
}

#[test]
fn a_cycle_names_its_members() {
    refused(
        r#"
locals {
  a = local.b
  b = local.a
}
output "a" {
  value = local.a
}
"#,
        &["Error: Cycle: local.a, local.b"],
    );
}

#[test]
fn an_unknown_resource_type_and_provider_are_told() {
    refused(
        "resource \"terraform_dat\" \"a\" {}\nresource \"nowhere_thing\" \"b\" {}\n",
        &[
            "terraform_dat",
            "on main.hcl line 1",
            "Did you mean \"terraform_data\"?",
            "nowhere",
            "on main.hcl line 2",
        ],
    );
}

#[test]
fn a_missing_variable_says_how_to_give_it() {
    refused(
        "variable \"size\" {\n  type = number\n}\n",
        &[
            "Error: No value for required variable",
            "on main.hcl line 1",
            "-var",
        ],
    );
}

#[test]
fn a_directory_without_configuration_is_an_error() {
    let directory = Directory::empty();
    directory
        .run(&["plan"])
        .fails_with(&["Error: No configuration files"]);
    directory
        .run(&["validate"])
        .fails_with(&["Error: No configuration files"]);
}

#[test]
fn validate_tells_editors_in_json() {
    let directory = Directory::with("output \"a\" {\n  value = var.nowhere\n}\n");
    let run = directory.run(&["validate", "-json"]);
    assert_eq!(run.code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!(json["error_count"], 1);
    let range = &json["diagnostics"][0]["range"];
    assert_eq!(range["filename"], "main.hcl");
    assert_eq!(range["start"]["line"], 2);
    assert_eq!(range["start"]["column"], 11);
}
