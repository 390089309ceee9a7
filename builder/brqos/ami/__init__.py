"""From images to AMIs: plan, snapshot upload, registration."""
