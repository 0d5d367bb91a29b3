# A place where the rest of the configuration runs: this machine, a cloud, a cluster.
#
#   target "local" {}
#
# The label says which. Several may stand side by side; then one is marked default = true, and a block may name another:
# target = target.local.

variable "name" {
  description = "The label of the block."
  type        = string
  nullable    = false
}

output "kind" {
  description = "What kind of target it is, such as `local`."
}
