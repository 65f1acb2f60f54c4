"""What the three formats share: text, tables, charts and SmartArt of DrawingML, and equations."""
