# A model registry: immutable versions of models with their metrics and origin, runs, and aliases such as champion.
#
#   registry "models" {}
#
# It holds data, so it is protected: a plan destroys it only when told to with -destroy-data. A registry that is there
# already is taken over with everything in it.

variable "name" {
  description = "The label of the block."
  type        = string
  nullable    = false
}

variable "path" {
  description = "Where the registry is: on target local a folder, relative to that of the root configuration; `registry/<name>` unless given."
  type        = string
  default     = null
}

output "name" {
  description = "The name of the registry."
}

output "url" {
  description = "Where the registry is."
}
