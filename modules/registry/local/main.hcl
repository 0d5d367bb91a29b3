# A folder of this machine.

resource "ml_registry" "registry" {
  name = var.name
  path = var.path
}

output "name" {
  value = ml_registry.registry.name
}

output "url" {
  value = ml_registry.registry.url
}
