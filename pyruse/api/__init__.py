"""What authors of plugins see, as types; `pyruse` exports them."""
