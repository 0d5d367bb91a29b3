# A file of this machine is used where it lies.

data "ml_dataset" "data" {
  csv     = var.csv
  columns = var.columns
  label   = var.label
}

output "uri" {
  value = data.ml_dataset.data.uri
}

output "digest" {
  value = data.ml_dataset.data.digest
}

output "rows" {
  value = data.ml_dataset.data.rows
}

output "header" {
  value = data.ml_dataset.data.header
}

output "label" {
  value = var.label
}
