//! Create, change, replace, destroy.

use crate::support::Directory;

const TWO: &str = r#"
variable "size" {
  type    = number
  default = 2
}

resource "terraform_data" "first" {
  count            = var.size
  input            = "number ${count.index}"
  triggers_replace = var.size > 2
}

resource "terraform_data" "second" {
  input = terraform_data.first[*].output
}

output "all" {
  value = terraform_data.second.output
}
"#;

#[test]
fn a_second_apply_changes_nothing_in_the_words_of_terraform() {
    let directory = Directory::with(TWO);
    directory.apply().says(&[
        "Plan: 3 to add, 0 to change, 0 to destroy.",
        "Apply complete! Resources: 3 added, 0 changed, 0 destroyed.",
    ]);
    let again = directory.apply();
    assert!(
        again
            .stdout
            .contains("No changes. Your infrastructure matches the configuration."),
        "{}",
        again.stdout
    );
    assert!(
        again
            .stdout
            .contains("Apply complete! Resources: 0 added, 0 changed, 0 destroyed.")
    );
}

#[test]
fn changes_follow_references_and_replacements_their_triggers() {
    let directory = Directory::with(TWO);
    directory.apply();
    let id = |run: &crate::support::Run| run.stdout.clone();
    let before = directory
        .run(&["state", "show", "terraform_data.first[0]"])
        .ok();
    let plan = directory.run(&["plan", "-var", "size=3"]).ok();
    plan.says(&[
        "# terraform_data.first[0] must be replaced",
        "# forces replacement",
        "# terraform_data.first[2] will be created",
        "# terraform_data.second will be updated in-place",
        "Plan: 3 to add, 1 to change, 2 to destroy.",
    ]);
    directory
        .run(&["apply", "-auto-approve", "-var=size=3"])
        .ok();
    let after = directory
        .run(&["state", "show", "terraform_data.first[0]"])
        .ok();
    assert_ne!(id(&before), id(&after));
    directory
        .run(&["output", "-json", "all"])
        .ok()
        .says(&[r#"["number 0","number 1","number 2"]"#]);
}

#[test]
fn destroy_leaves_nothing_in_the_state() {
    let directory = Directory::with(TWO);
    directory.apply();
    directory
        .run(&["destroy", "-auto-approve"])
        .ok()
        .says(&["Destroy complete! Resources: 3 destroyed."]);
    let list = directory.run(&["state", "list"]).ok();
    assert_eq!(list.stdout, "");
}

#[test]
fn what_does_not_depend_on_a_failure_is_done_all_the_same() {
    let directory = Directory::with(
        r#"
        resource "terraform_data" "bad" {
          input = "x"
          lifecycle {
            postcondition {
              condition     = self.id == "never"
              error_message = "The id is not what it never is."
            }
          }
        }
        resource "terraform_data" "after_bad" {
          input = terraform_data.bad.output
        }
        resource "terraform_data" "good" {
          input = "y"
        }
        "#,
    );
    directory.run(&["apply", "-auto-approve"]).fails_with(&[
        "Error: Resource postcondition failed",
        "The id is not what it never is.",
    ]);
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(list, "terraform_data.bad\nterraform_data.good\n");
}

#[test]
fn a_replacement_that_creates_first_destroys_last() {
    let configuration = |trigger: &str| {
        format!(
            r#"
            resource "terraform_data" "base" {{
              triggers_replace = "{trigger}"
            }}
            resource "terraform_data" "top" {{
              input = terraform_data.base.id
              lifecycle {{
                create_before_destroy = true
              }}
              triggers_replace = "{trigger}"
            }}
            "#
        )
    };
    let directory = Directory::with(&configuration("a"));
    directory.apply();
    directory.write("main.hcl", &configuration("b"));
    let run = directory.apply();
    run.says(&["Apply complete! Resources: 2 added, 0 changed, 2 destroyed."]);
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(list, "terraform_data.base\nterraform_data.top\n");
    directory.run(&["plan", "-detailed-exitcode"]).ok();
}

#[test]
fn modules_are_called_counted_and_referred_to() {
    let directory = Directory::with(
        r#"
        module "each" {
          source   = "./part"
          for_each = { a = "one", b = "two" }
          word     = each.value
        }
        output "words" {
          value = { for key, part in module.each : key => part.shouted }
        }
        "#,
    );
    directory.write(
        "part/main.hcl",
        r#"
        variable "word" {
          type = string
        }
        resource "terraform_data" "word" {
          input = "${var.word}!"
        }
        output "shouted" {
          value = terraform_data.word.output
        }
        "#,
    );
    directory.apply();
    directory
        .run(&["output", "-json", "words"])
        .ok()
        .says(&[r#"{"a":"one!","b":"two!"}"#]);
    let list = directory.run(&["state", "list"]).ok().stdout;
    assert_eq!(
        list,
        "module.each[\"a\"].terraform_data.word\nmodule.each[\"b\"].terraform_data.word\n"
    );
}

#[test]
fn a_saved_plan_is_done_exactly_or_not_at_all() {
    let directory = Directory::with(TWO);
    directory.run(&["plan", "-out=first.mlplan"]).ok();
    directory
        .run(&["plan", "-out=second.mlplan", "-var=size=1"])
        .ok();
    directory
        .run(&["show", "first.mlplan"])
        .ok()
        .says(&["Plan: 3 to add, 0 to change, 0 to destroy."]);
    let json = directory
        .run(&["show", "-json", "first.mlplan"])
        .ok()
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format_version"], "1.2");
    assert_eq!(json["resource_changes"].as_array().unwrap().len(), 3);

    let whole = std::fs::read(directory.file("first.mlplan")).unwrap();
    std::fs::write(directory.file("cut.mlplan"), &whole[..whole.len() - 40]).unwrap();
    directory
        .run(&["apply", "cut.mlplan"])
        .fails_with(&["cut.mlplan"]);
    directory.edit("main.hcl", "number ${count.index}", "nummer ${count.index}");
    directory
        .run(&["apply", "first.mlplan"])
        .fails_with(&["configuration"]);
    assert_eq!(directory.run(&["state", "list"]).ok().stdout, "");
    directory.edit("main.hcl", "nummer ${count.index}", "number ${count.index}");

    directory
        .run(&["apply", "first.mlplan"])
        .ok()
        .says(&["Apply complete! Resources: 3 added, 0 changed, 0 destroyed."]);
    directory
        .run(&["apply", "second.mlplan"])
        .fails_with(&["Saved plan is stale"]);
}

#[test]
fn progress_and_results_are_told_to_programs_in_json() {
    let directory = Directory::with(TWO);
    let run = directory.run(&["apply", "-auto-approve", "-json"]).ok();
    let lines: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!(of("version"), 1);
    assert_eq!(of("planned_change"), 3);
    assert_eq!(of("apply_start"), 3);
    assert_eq!(of("apply_complete"), 3);
    assert_eq!(of("outputs"), 2);
}
