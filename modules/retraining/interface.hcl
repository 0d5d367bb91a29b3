# Trains a job again at given times, with the data of that time.
#
#   retraining "weekly" {
#     job      = training_job.classifier
#     schedule = "0 3 * * 1"
#     promote  = { when = "better", min_improvement = 0.002, floor = 0.80 }
#   }
#
# Each firing makes a new version. The rule decides whether it becomes the champion, which serving follows.

variable "name" {
  description = "The label of the block."
  type        = string
  nullable    = false
}

variable "target" {
  description = "The target it runs on."
  type        = any
}

variable "job" {
  description = "The training job."
  type = object({
    name      = string
    model     = object({ registry = string, name = string })
    spec      = string
    objective = optional(object({ metric = string, goal = string }))
    env       = optional(map(string), {})
  })
  nullable = false
}

variable "schedule" {
  description = "When: five fields of cron (minute, hour, day of the month, month, day of the week), six with seconds first, a nickname such as `@daily`, or `@every 6h`."
  type        = string
  nullable    = false
}

variable "timezone" {
  description = "The IANA time zone in which the schedule counts, such as `Europe/Berlin`; UTC unless given."
  type        = string
  default     = null
}

variable "promote" {
  description = "When a version becomes the champion. `when`: `better` than the champion by the job's objective, `always`, `never`, or `manual`, which leaves it to a person. `min_improvement`: by how much it must be better. `floor`: the worst value that is good enough at all. The rule stands in the registry from the first apply on and decides about runs of apply, too, except the very first. Without it, a better version becomes the champion."
  type = object({
    when            = optional(string, "better")
    min_improvement = optional(number, 0)
    floor           = optional(number)
  })
  default = null

  validation {
    condition     = var.promote == null ? true : contains(["better", "always", "never", "manual"], var.promote.when)
    error_message = "The rule's when must be \"better\", \"always\", \"never\" or \"manual\"."
  }

  validation {
    condition     = var.promote == null ? true : var.promote.min_improvement >= 0
    error_message = "The least improvement must not be negative."
  }
}

variable "skip_unchanged" {
  description = "Whether a firing trains only when the code, a parameter or the data has changed since the last run."
  type        = bool
  nullable    = false
  default     = false
}

output "schedule" {
  description = "When it fires."
}

output "log" {
  description = "Where the logs of its runs are."
}
