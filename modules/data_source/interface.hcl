# Data that training jobs read.
#
#   data_source "orders" {
#     csv   = "orders.csv"
#     label = "returned"
#   }
#
# The data is looked at whenever a plan is made: a missing file, a missing column or a ragged row is an error before
# anything is trained. When the data changes, the jobs that read it train again.

variable "csv" {
  description = "A CSV file with a header, relative to the folder of the root configuration."
  type        = string
  nullable    = false
}

variable "columns" {
  description = "Columns that must be there. Others may be there, too."
  type        = list(string)
  nullable    = false
  default     = []
}

variable "label" {
  description = "The column that is to be predicted. It must be there, too."
  type        = string
  default     = null
}

output "uri" {
  description = "Where the data is."
}

output "digest" {
  description = "The digest of the data, `sha256:…`."
}

output "rows" {
  description = "The number of rows."
}

output "header" {
  description = "The names of the columns."
}

output "label" {
  description = "The column that is to be predicted."
}
