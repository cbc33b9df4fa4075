"""What makes a program of protocols: ``service`` things that start and stop · ``internet`` services that listen, connect and repeat."""
