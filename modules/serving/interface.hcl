# A model behind an endpoint that speaks the Open Inference Protocol.
#
#   serving "api" {
#     model = training_job.classifier.model
#   }
#
# It follows the champion: a version that becomes the champion is loaded, tried on its recorded examples, and takes over
# without a failed request. To stay at a version: model = merge(training_job.classifier.model, { version = 3 }).

variable "name" {
  description = "The label of the block."
  type        = string
  nullable    = false
}

variable "target" {
  description = "The target it runs on."
  type        = any
}

variable "model" {
  description = "The model to serve: the URL of its registry, its name, and the alias to follow or the version to stay at."
  type = object({
    registry = string
    name     = string
    alias    = optional(string, "champion")
    version  = optional(number)
  })
  nullable = false
}

variable "port" {
  description = "The port to listen on; a free one unless given, which is then kept."
  type        = number
  default     = null

  validation {
    condition     = var.port == null ? true : var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "A port is a whole number from 1 to 65535."
  }
}

variable "replicas" {
  description = "How many copies run, at least and at most. On target local one process serves with all cores, whatever this says."
  type        = object({ min = optional(number, 1), max = optional(number) })
  nullable    = false
  default     = {}
}

output "url" {
  description = "The address of the endpoint. A request goes to `<url>/v2/models/<model>/infer`."
}

output "name" {
  description = "The name of the endpoint."
}

output "model" {
  description = "The name of the model, as requests name it."
}

output "log" {
  description = "Where the log is."
}
