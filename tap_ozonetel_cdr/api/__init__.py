"""How a day is asked for and judged: a day in, its complete response out."""
