"""Programs that predict with saved models, under any of Keras's backends."""
