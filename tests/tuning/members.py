"""Hyperparameters of members, and where they are found in a model."""

TINY = {
    "f_size": 4,
    "f_encoder_units": 6,
    "z_size": 1,
    "z_encoder_units": 5,
    "controller_units": 5,
    "generator_units": 8,
    "factors": 3,
}
FIT = {"warm_up": 2, "batch_size": 16, "jit_compile": False}
SEARCH = {"population": 4, "generations": 4, "epochs_per_generation": 2, "patience": None}
VALUES = {
    "beta_f": 0.2,
    "beta_z": 0.3,
    "coordinated_dropout": 0.25,
    "dropout": 0.1,
    "l2_controller": 0.5,
    "l2_generator": 0.6,
    "learning_rate": 0.005,
}
OTHERS = {name: 0.6 * value for name, value in VALUES.items()}


def live(model):
    """Hyperparameters, read from the layers and the optimiser one by one."""
    decoder = model.get_layer("generator")
    return {
        "beta_f": model.get_layer("kl_f").beta.numpy(),
        "beta_z": model.get_layer("kl_z").beta.numpy(),
        "coordinated_dropout": model.get_layer("coordinated_dropout").rate.read().numpy(),
        "dropout": decoder.dropout.read().numpy(),
        "l2_controller": decoder.controller_penalty.weight.numpy(),
        "l2_generator": decoder.generator_penalty.weight.numpy(),
        "learning_rate": model.optimizer.learning_rate.numpy(),
    }
