//! `mlinfra graph`: prints the dependency graph in the DOT language.

use std::process::ExitCode;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::operation;
use crate::module::Node;

/// Arguments.
#[derive(Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Example, with Graphviz installed:
  mlinfra graph | dot -Tsvg > graph.svg
")]
pub struct Arguments {}

/// Prints the resources and what depends on what.
pub fn run(_: &Arguments, cx: &Context) -> ExitCode {
    let configuration = match operation::load(cx) {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    let (tree, nodes) = (&configuration.tree, &configuration.nodes);
    let mut text = String::from(
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n",
    );
    for (number, node) in nodes.iter() {
        if matches!(node, Node::Resource(..)) {
            let name = nodes.name(tree, node);
            text.push_str(&format!("  {name:?};\n"));
            for (module, resource) in nodes.resources_needed(number) {
                let needed = nodes.name(tree, &Node::Resource(module, resource));
                text.push_str(&format!("  {name:?} -> {needed:?};\n"));
            }
        }
    }
    text.push_str("}\n");
    cx.print(&text);
    ExitCode::SUCCESS
}
