"""What the API answers, as frozen objects. Fields of a later release are kept: `model_extra` has them."""
