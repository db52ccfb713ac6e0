"""ae-intake: takes reports, doses and observations from sites, keeps them, and says what it was told."""
