# This machine. Whatever runs is kept running by one agent, which lives in .mlinfra beside the configuration and listens
# on 127.0.0.1 only.

data "local_platform" "here" {}

output "kind" {
  value = "local"
}

output "runtime" {
  description = "The program `mlinfra-runtime`, which trains and serves."
  value       = data.local_platform.here.runtime
}

output "root_dir" {
  description = "The folder of the root configuration."
  value       = data.local_platform.here.root_dir
}
