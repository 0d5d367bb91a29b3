# A service of this machine's agent: restarted when it fails, on 127.0.0.1 only.

locals {
  pick = var.model.version == null ? "${var.model.name}@${var.model.alias}" : "${var.model.name}:${var.model.version}"
}

resource "local_service" "server" {
  name = "serving-${var.name}"
  command = [
    var.target.runtime, "infer",
    "--registry", var.model.registry,
    "--model", local.pick,
    "--listen", "127.0.0.1:{port}",
  ]
  port        = var.port
  health_path = "/v2/health/ready"
}

output "url" {
  value = local_service.server.url
}

output "name" {
  value = var.name
}

output "model" {
  value = var.model.name
}

output "log" {
  value = local_service.server.log
}
