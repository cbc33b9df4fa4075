"""What joins torsion to other packages; each part needs the package that it is called after."""
