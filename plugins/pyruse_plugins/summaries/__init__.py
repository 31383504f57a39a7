"""What reports tell of a day in numbers: from the events that rules have recognised."""
