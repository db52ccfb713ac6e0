"""alerting: judges what is known of a case, keeps its clocks, and rings until a person has answered."""
