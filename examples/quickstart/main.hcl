# Reads handwritten digits: data, training, registry, serving and weekly retraining, on this machine.

target "local" {}

data_source "digits" {
  csv   = "digits.csv"
  label = "label"
}

registry "models" {}

training_job "classifier" {
  source    = "./train" # a folder with train.py and its requirements.txt
  inputs    = { digits = data_source.digits }
  params    = { hidden_units = 64, learning_rate = 0.002, epochs = 60 }
  objective = { metric = "accuracy", goal = "maximize" }
  registry  = registry.models
}

serving "api" {
  model = training_job.classifier.model # follows the champion
}

retraining "weekly" {
  job      = training_job.classifier
  schedule = "0 3 * * 1"
  promote  = { when = "better", min_improvement = 0.002, floor = 0.9 }
}

output "url" {
  value = serving.api.url
}

output "log" {
  value = serving.api.log
}
