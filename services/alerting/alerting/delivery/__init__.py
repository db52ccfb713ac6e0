"""How a notice leaves the house: by mail, into the mailbox folder, or to a webhook, and what became of it.

`bell`     all that may leave: the type has no room for a patient's words
`letter`   a bell as a mail, text and HTML
`mail`, `mailbox`, `webhook`   the three ways; each answers Delivered, TryAgain or GiveUp
`schedule` when to try again
`ledger`   the rows: claim with a lease, intent before the send, outcome after it
`courier`  the workers
"""
