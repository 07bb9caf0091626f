def copy(p,c): pass
