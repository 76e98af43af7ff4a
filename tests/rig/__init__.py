"""What the tests need besides mailsync: private mail servers, a slow and faulty line to them, mail,
and readers of both sides that share no code with the program. Python 3.9, standard library only."""
