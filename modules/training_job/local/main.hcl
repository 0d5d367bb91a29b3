# A job of this machine's agent, which goes on when the command line is closed.

resource "ml_run" "run" {
  job       = var.name
  model     = coalesce(var.model, var.name)
  source    = var.source
  command   = var.command
  inputs    = var.inputs
  params    = var.params
  objective = var.objective
  registry  = var.registry.url
  env       = var.env
  timeout_s = var.timeout_s
}

output "name" {
  value = var.name
}

output "model" {
  value = {
    registry = var.registry.url
    name     = coalesce(var.model, var.name)
    alias    = "champion"
  }
  # Whoever serves the model waits for its first version.
  depends_on = [ml_run.run]
}

output "version" {
  value = ml_run.run.version
}

output "metrics" {
  value = ml_run.run.metrics
}

output "promoted" {
  value = ml_run.run.promoted
}

output "reason" {
  value = ml_run.run.reason
}

output "run_id" {
  value = ml_run.run.run_id
}

output "objective" {
  value = var.objective
}

output "spec" {
  value = ml_run.run.spec
}

output "env" {
  value = var.env
}
