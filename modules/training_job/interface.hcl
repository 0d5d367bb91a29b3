# A training job: code and data in, a version of a model out.
#
#   training_job "classifier" {
#     source    = "./train"
#     inputs    = { orders = data_source.orders }
#     params    = { max_depth = 6 }
#     objective = { metric = "auc", goal = "maximize" }
#     registry  = registry.models
#   }
#
# The command is started in a copy of the source folder. It finds its inputs in the folder $MLINFRA_INPUTS, one entry
# each, and its parameters as JSON in the file $MLINFRA_PARAMS; it appends what it measures to the file
# $MLINFRA_METRICS, one JSON object a line, and writes what it makes into the folder $MLINFRA_OUTPUT. The *.onnx file
# there becomes the next version of the model.
#
# Apply trains when the code, the command, a parameter, an input or the version of Python differs from the last run,
# and plan says which. The same is never trained twice.

variable "name" {
  description = "The label of the block."
  type        = string
  nullable    = false
}

variable "target" {
  description = "The target it runs on."
  type        = any
}

variable "source" {
  description = "The folder with the code, relative to that of the root configuration. A requirements.txt in it is installed into a virtual environment that is kept for the next run. No Dockerfile is needed."
  type        = string
  nullable    = false
}

variable "command" {
  description = "The program and its arguments."
  type        = list(string)
  nullable    = false
  default     = ["python", "train.py"]

  validation {
    condition     = length(var.command) > 0
    error_message = "A command is a program and its arguments, such as [\"python\", \"train.py\"]."
  }
}

variable "inputs" {
  description = "What it reads, by name: data sources, or objects with `uri` and `digest`."
  type        = map(object({ uri = string, digest = string }))
  nullable    = false
  default     = {}
}

variable "params" {
  description = "Its parameters, an object."
  type        = any
  nullable    = false
  default     = {}
}

variable "objective" {
  description = "The metric that says how good a version is, and the goal: `maximize` or `minimize`. Without one, the newest version counts as the best."
  type        = object({ metric = string, goal = optional(string, "maximize") })
  default     = null

  validation {
    condition     = var.objective == null ? true : contains(["maximize", "minimize"], var.objective.goal)
    error_message = "The goal must be \"maximize\" or \"minimize\"."
  }
}

variable "registry" {
  description = "The registry that its versions go to."
  type        = object({ name = string, url = string })
  nullable    = false
}

variable "model" {
  description = "The name of the model in the registry; the name of the job unless given."
  type        = string
  default     = null
}

variable "env" {
  description = "Environment variables of the command. They do not decide whether it trains again."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "timeout_s" {
  description = "Seconds after which a run is stopped and counts as failed; without it, a run may take as long as it does."
  type        = number
  default     = null

  validation {
    condition     = var.timeout_s == null ? true : var.timeout_s >= 1 && floor(var.timeout_s) == var.timeout_s
    error_message = "The timeout must be a whole number of seconds, and at least 1."
  }
}

output "name" {
  description = "The name of the job."
}

output "model" {
  description = "The model, for serving: registry, name and the alias `champion`. It stays the same from run to run, so that nothing restarts when a version is trained; serving follows the alias by itself."
}

output "version" {
  description = "The version that the last apply made or found."
}

output "metrics" {
  description = "The metrics of that version."
}

output "promoted" {
  description = "Whether that version became the champion."
}

output "reason" {
  description = "Why it became the champion or did not."
}

output "run_id" {
  description = "The run that made it."
}

output "objective" {
  description = "The metric that says how good a version is, and the goal."
}

output "spec" {
  description = "What to run, for a retraining."
}

output "env" {
  description = "Environment variables of the command."
}
