"""What people see: live views, their static twins, and the hub that joins the two."""
