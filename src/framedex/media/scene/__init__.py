"""Point clouds and recordings: pcd, ply, las, laz; e57, mcap, bag and db3 by their signature."""
