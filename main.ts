console.log("veripatch 0.1.0");
