# A schedule of this machine's agent. A firing that was missed while the machine was off is made up for once.

resource "ml_promotion" "rule" {
  count = var.promote == null ? 0 : 1

  registry        = var.job.model.registry
  model           = var.job.model.name
  when            = var.promote.when
  metric          = try(var.job.objective.metric, null)
  goal            = try(var.job.objective.goal, null)
  min_improvement = var.promote.min_improvement
  floor           = var.promote.floor
}

resource "local_schedule" "retraining" {
  name     = "retraining-${var.name}"
  schedule = var.schedule
  timezone = var.timezone
  command  = [var.target.runtime, "run"]
  env      = var.job.env
  spec     = jsonencode(merge(jsondecode(var.job.spec), { skip_unchanged = var.skip_unchanged }))

  # The rule stands before the first firing asks for it.
  depends_on = [ml_promotion.rule]
}

output "schedule" {
  value = local_schedule.retraining.schedule
}

output "log" {
  value = local_schedule.retraining.log
}
