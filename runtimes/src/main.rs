//! `mlinfra-runtime`: the programs that live on what was provisioned.

fn main() {}
