"""Tracer: see, practise and check backpropagation by hand."""
