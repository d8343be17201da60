"""Whether the pictures that the rules name can be sent: looked at from time to time, and told to people."""
